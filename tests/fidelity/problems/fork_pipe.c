#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>
int main(void) { int p[2], s; if (pipe(p)) return 1; if (!fork()) { dup2(p[1], 1); execlp("echo", "echo", "from", "child", (char *)0); _exit(1); } close(p[1]); char b[64]; int n = read(p[0], b, 63); b[n > 0 ? n : 0] = 0; wait(&s); printf("%d %s", WEXITSTATUS(s), b); return 0; }
