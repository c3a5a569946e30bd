# bash completion of sonoran-pushd(8)

_sonoran_pushd()
{
    local cur prev words cword
    _init_completion || return

    case $prev in
    -c | --config)
        _filedir
        return
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W '-c --config --check --print-config -V --version -h --help' -- "$cur")
} && complete -F _sonoran_pushd sonoran-pushd
