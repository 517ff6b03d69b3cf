/* Environment for the program must not steer the compiler: see fake_tool.sh. */
#include <stdio.h>
int main(void) { puts("CONTAINED"); return 0; }
