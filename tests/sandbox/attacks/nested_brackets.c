#define A ((((((((((((((((((((((((((((((((
#define B A A A A A A A A A A A A A A A A A A A A
#define C B B B B B B B B B B B B B B B B B B B B
#define D C C C C C C C C C C C C C C C C C C C C
int x = D D D D 1;
int main(void) { return 0; }
