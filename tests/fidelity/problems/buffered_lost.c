#include <stdio.h>
#include <unistd.h>
int main(void) { printf("lost"); _exit(3); }
