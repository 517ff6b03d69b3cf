/* Enters the kernel by the 32-bit gate, where other numbers mean other calls. */
#include "probe.h"
int main(void) {
    pid_t pid = fork();
    if (pid == 0) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
        _exit(result > 0 ? 7 : 8); /* 20 is getpid there */
    }
    int status;
    waitpid(pid, &status, 0);
    holds("int 0x80 kills", WIFSIGNALED(status));
    pid = fork();
    if (pid == 0) {
        long result;
        /* 26 is ptrace there, 21 mount: by number they would pass as write-like calls here. */
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(21L), "b"(0), "c"(0), "d"(0) : "memory");
        _exit(7);
    }
    waitpid(pid, &status, 0);
    holds("int 0x80 mount kills", WIFSIGNALED(status));
    return finish();
}
