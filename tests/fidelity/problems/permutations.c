#include <stdio.h>
#include <string.h>
static int n; static void perm(char *s, int k) { if (!s[k]) { puts(s); n++; return; } for (int i = k; s[i]; i++) { char t = s[k]; s[k] = s[i]; s[i] = t; perm(s, k + 1); t = s[k]; s[k] = s[i]; s[i] = t; } }
int main(void) { char s[] = "abcd"; perm(s, 0); return n != 24; }
