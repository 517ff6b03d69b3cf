#include <stdio.h>
int main(void) { int x = "a" * 2; undeclared(y); return z }
