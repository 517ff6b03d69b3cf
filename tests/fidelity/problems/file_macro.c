#include <stdio.h>
int main(void) { printf("%s %d %s\n", __FILE__, __LINE__, __func__); return 0; }
