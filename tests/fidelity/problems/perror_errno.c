#include <errno.h>
#include <stdio.h>
#include <string.h>
int main(void) { if (!fopen("/no/such", "r")) perror("fopen"); printf("%d %s\n", errno == ENOENT, strerror(EACCES)); return 2; }
