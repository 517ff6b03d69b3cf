#include <stdio.h>
int main() { int unused; char *p = 5; printf("%d\n", "text"  ? 1 : 0); return 0; }
