/* Counts what comes in on stdin, as wc does; its exit code says whether there was anything. */
#include <ctype.h>
#include <stdio.h>

int main(void) {
    long lines = 0, words = 0, bytes = 0;
    int in_word = 0;
    for (int c; (c = getchar()) != EOF; bytes++) {
        lines += c == '\n';
        words += !isspace(c) && !in_word;
        in_word = !isspace(c);
    }
    printf("%ld lines, %ld words, %ld bytes\n", lines, words, bytes);
    return bytes == 0;
}
