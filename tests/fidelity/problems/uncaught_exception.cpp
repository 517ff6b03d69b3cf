#include <iostream>
#include <stdexcept>
int main() { std::cout << "before" << std::endl; throw std::logic_error("nobody catches"); }
