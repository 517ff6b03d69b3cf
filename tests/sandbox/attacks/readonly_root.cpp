// Tries to change the read-only tree from C++.
#include <filesystem>
#include <fstream>
#include "probe.h"
int main() {
    for (const char *place : {"/", "/etc/", "/usr/", "/usr/include/", "/lib/", "/bin/"}) {
        std::string name = std::string(place) + "dcodex-probe";
        errno = 0;
        std::ofstream out(name);
        attempt(name.c_str(), out.is_open() ? 0 : -1);
        std::error_code error;
        holds("mkdir", !std::filesystem::create_directory(name + "-d", error) && error.value() != 0);
        std::filesystem::rename("/etc/passwd", "/etc/passwd.old", error);
        holds("rename", error.value() != 0);
    }
    return finish();
}
