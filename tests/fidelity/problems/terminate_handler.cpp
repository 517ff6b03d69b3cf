#include <iostream>
#include <stdexcept>
struct S{~S(){std::cout<<"dtor\n";}}; S s; int main(){ std::cout<<"start"<<std::endl; std::set_terminate([]{std::cerr<<"term\n"; abort();}); throw 5; }
