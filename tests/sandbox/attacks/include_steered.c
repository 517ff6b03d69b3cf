/* A header that only a compiler finds whose path a variable of the program's has set (CPATH). */
#include <stdio.h>
#if __has_include(<if_arp.h>)
int main(void) { puts("LEAK:steered"); return 0; }
#else
int main(void) { puts("CONTAINED"); return 0; }
#endif
