#include <stdio.h>
#include <string.h>
#include <ctype.h>
#include <assert.h>
int main(void) { char s[] = "Hello, World"; for (size_t i = 0, j = strlen(s) - 1; i < j; i++, j--) { char t = s[i]; s[i] = s[j]; s[j] = t; } assert(!strcmp(s, "dlroW ,olleH")); for (char *p = s; *p; p++) *p = toupper((unsigned char)*p); puts(s); char b[40] = "a,b;c"; for (char *t = strtok(b, ",;"); t; t = strtok(0, ",;")) printf("[%s]", t); printf("%s %zu\n", strstr("needle in hay", "in"), strspn("aabbc", "ab")); return 0; }
