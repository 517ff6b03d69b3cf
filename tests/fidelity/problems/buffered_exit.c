#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) { printf("buffered "); fprintf(stderr, "err "); if (write(1, "raw ", 4) != 4) return 1; setvbuf(stdout, 0, _IONBF, 0); printf("unbuffered\n"); return 0; }
