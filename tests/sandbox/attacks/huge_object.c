/* An object file of many GiB. */
char a[8UL << 30] = {1};
char b[8UL << 30] = {1};
int main(void) { return a[5] + b[7]; }
