#include <cstdlib>
#include <cstdio>
#include <iostream>
int main(){ atexit([]{puts("atexit");}); at_quick_exit([]{puts("quick"); fflush(stdout);}); std::cout<<__cplusplus<<" "<<__VERSION__<<" "<<__FILE__<<" "<<__func__<<"\n"; std::cout.flush(); std::quick_exit(9);}
