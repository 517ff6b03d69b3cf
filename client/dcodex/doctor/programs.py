"""One program for each language that says something, waits for an answer, and repeats it."""

from __future__ import annotations

#: What it says first, before it reads.
GREETING = b"ready\n"

PROGRAMS = {
    "python": "print('ready')\nprint(input())\n",
    "c": (
        "#include <stdio.h>\n"
        "int main(void) {\n"
        "    char line[128];\n"
        '    puts("ready"); fflush(stdout);\n'
        "    if (!fgets(line, sizeof line, stdin)) return 1;\n"
        "    fputs(line, stdout);\n"
        "    return 0;\n"
        "}\n"
    ),
    "cpp": (
        "#include <iostream>\n"
        "#include <string>\n"
        "int main() {\n"
        "    std::string line;\n"
        '    std::cout << "ready" << std::endl;\n'
        "    if (!std::getline(std::cin, line)) return 1;\n"
        '    std::cout << line << "\\n";\n'
        "}\n"
    ),
}
