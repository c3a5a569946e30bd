"""stop_thread.py TID - stops one thread of a process, as a debugger does, until it is killed. A
dead thread goes only when its debugger has seen it end."""

import ctypes
import os
import sys

PTRACE_ATTACH, WALL = 16, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
if libc.ptrace(PTRACE_ATTACH, int(sys.argv[1]), None, None) < 0:
    sys.exit(f"cannot stop thread {sys.argv[1]}: {os.strerror(ctypes.get_errno())}")
os.waitpid(int(sys.argv[1]), WALL)
print("stopped", flush=True)
while os.WIFSTOPPED(os.waitpid(int(sys.argv[1]), WALL)[1]):
    pass
