/* machine.c - what looks after services on this machine. */
#include <unistd.h>

#include <sonoran-pushd/machine.h>

#define RESTART "restart " PROGRAM_NAME

bool machine_has_systemd(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

const char *machine_restart(void)
{
    return machine_has_systemd() ? "systemctl " RESTART : RESTART;
}
