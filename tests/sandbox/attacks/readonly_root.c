/* Tries to change the read-only tree from C. */
#include "probe.h"
#include <sys/stat.h>
int main(void) {
    const char *places[] = {"/x", "/etc/x", "/usr/x", "/usr/lib/x", "/lib/x", "/bin/x", "/dev/x", "/proc/x"};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        attempt(places[i], open(places[i], O_CREAT | O_WRONLY, 0644));
        attempt(places[i], mkdir(places[i], 0755));
        attempt(places[i], symlink("/work", places[i]));
        attempt(places[i], mkfifo(places[i], 0644));
    }
    const char *files[] = {"/etc/passwd", "/usr/bin/gcc", "/usr/lib/os-release"};
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        attempt(files[i], open(files[i], O_WRONLY));
        attempt(files[i], unlink(files[i]));
        attempt(files[i], chmod(files[i], 0777));
        attempt(files[i], rename(files[i], "/work/x"));
    }
    return finish();
}
