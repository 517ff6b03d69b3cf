#include <string>

int main() {
    std::string answer = 42;
    return answer.length() > undeclared;
}
