/* Switches to the 32-bit code segment by a far return and makes a system call from there. */
#include "probe.h"
#include <sys/mman.h>
int main(void) {
    unsigned char *low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) { probe_note("low memory", "refused"); return finish(); }
    const unsigned char code[] = {0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80}; /* exit(42) */
    memcpy(low, code, sizeof code);
    pid_t pid = fork();
    if (pid == 0) {
        __asm__ volatile("movq %0, %%rsp\n pushq $0x23\n pushq %1\n lretq" : : "r"((long)low + 8000), "r"((long)low) : "memory");
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    holds("killed", WIFSIGNALED(status));
    return finish();
}
