/* Socket and system call filters are compiled into memory that the whole machine shares and counts
   to nobody: with none left, no other sandbox gets its own. */
#include "probe.h"
#include <linux/filter.h>
#include <sys/socket.h>
#define COUNT 4096
int main(void) {
    require_walls();
    static struct sock_filter code[COUNT];
    for (int n = 0; n < COUNT - 1; n++) code[n] = (struct sock_filter){BPF_ALU | BPF_ADD | BPF_K, 0, 0, 0x12345678u + n};
    code[COUNT - 1] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, 0x7fff0000};
    struct sock_fprog program = {COUNT, code};
    int local = socket(AF_UNIX, SOCK_DGRAM, 0), internet = socket(AF_INET, SOCK_DGRAM, 0);
    attempt("attach", setsockopt(local, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    attempt("attach, internet", setsockopt(internet, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    attempt("attach, reuseport", setsockopt(internet, SOL_SOCKET, 51, &program, sizeof program));
    holds("no filter by prctl", prctl(22, 2, &program, 0, 0) == -1 && errno == EINVAL);
    holds("no filter by seccomp", syscall(317, 1, 0, &program) == -1 && errno == EINVAL);
    holds("no listener", syscall(317, 1, 8, &program) == -1 && errno == EINVAL);
    return finish();
}
