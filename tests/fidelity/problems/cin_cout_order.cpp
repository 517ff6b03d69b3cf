#include <cstdio>
#include <iostream>
int main() { std::cout << "cout "; printf("printf "); std::cerr << "cerr "; std::clog << "clog "; std::cout << "end\n"; fflush(stdout); return 0; }
