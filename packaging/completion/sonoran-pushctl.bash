# bash completion of sonoran-pushctl(1). The options of a verb are those of its --help.

_sonoran_pushctl_verb()
{
    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -c | --config) ((i++)) ;;
        -*) ;;
        *)
            verb=${words[i]}
            return
            ;;
        esac
    done
}

# Types that there are samples of; names of the configured actions.
_sonoran_pushctl_types()
{
    sonoran-pushctl send --list 2>/dev/null | awk '/^EVENT_|^GET_/ { print $1 }'
}

_sonoran_pushctl_actions()
{
    sonoran-pushctl actions --json 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d '"' -f 4
}

_sonoran_pushctl()
{
    local cur prev words cword verb=
    _init_completion || return
    _sonoran_pushctl_verb

    case $prev in
    -c | --config | --store | --key-file)
        _filedir
        return
        ;;
    --type)
        mapfile -t COMPREPLY < <(compgen -W "$(_sonoran_pushctl_types)" -- "$cur")
        return
        ;;
    --verdict)
        mapfile -t COMPREPLY < <(compgen -W 'accepted unknown invalid internal' -- "$cur")
        return
        ;;
    --since | --until | --community | --call | --911 | --unit | --id | --after | --limit | -n | --from | --hours | --data | \
        --times | --listener | --url | --speed | --longest)
        return
        ;;
    esac

    local common='-c --config --store -h --help' choice
    case $verb in
    '') choice='status board events open story duty stats types send play test actions failed retry replay reload backup restore probe doctor help -c --config -V --version -h --help' ;;
    events)
        choice="--type --verdict --community --since --until --call --911 --unit --id --after -n --limit -f --follow"
        choice+=" --json $common"
        ;;
    open) choice="--community --show-token $common" ;;
    story) choice="--community --json $common" ;;
    duty) choice="--since --until --community --csv --json $common" ;;
    stats)
        choice="--by --since --until --community --csv --json $common"
        [[ $prev != --by ]] || choice='day hour'
        ;;
    send)
        choice="--list --data --print --real --times --community --listener --key-file --url --json $common"
        if [[ $cur != -* ]]; then
            choice=$(_sonoran_pushctl_types)
            _filedir
        fi
        ;;
    board) choice="--once --no-color --ascii --bell --community --json $common" ;;
    play)
        choice="--demo --speed --longest --loop --community --listener --key-file --url $common"
        [[ $cur == -* ]] || _filedir
        ;;
    types)
        choice="--json $common"
        [[ $cur == -* ]] || choice=$(_sonoran_pushctl_types)
        ;;
    test)
        choice="--community --listener --json $common"
        if [[ $prev == "$verb" && $cur != -* ]]; then
            choice=$(_sonoran_pushctl_actions)
        elif [[ $cur != -* ]]; then
            choice=$(_sonoran_pushctl_types)
        fi
        ;;
    status) choice="-q --quiet --json $common" ;;
    actions | reload) choice="--json $common" ;;
    failed | retry)
        choice="--json $common"
        if [[ $prev == "$verb" && $cur != -* ]]; then
            choice=$(_sonoran_pushctl_actions)
        elif [[ $verb == retry && $cur != -* ]]; then
            choice=all
        fi
        ;;
    replay)
        choice="--from --json $common"
        [[ $prev != "$verb" || $cur == -* ]] || choice=$(_sonoran_pushctl_actions)
        ;;
    backup | restore)
        choice="--json $common"
        [[ $cur == -* ]] || _filedir
        ;;
    help)
        choice=
        [[ $prev != help ]] || choice='status board events open story duty stats types send play test actions failed retry replay reload backup restore probe doctor'
        ;;
    probe) choice="--beside --json $common" ;;
    doctor) choice="--hours --check-log --json $common" ;;
    *) return ;;
    esac
    local found
    mapfile -t found < <(compgen -W "$choice" -- "$cur")
    COMPREPLY+=("${found[@]}")
} && complete -F _sonoran_pushctl sonoran-pushctl
