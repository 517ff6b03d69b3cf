#include <iostream>
#include <regex>
int main() { std::string s = "mail bob@site.org and amy@host.net"; std::regex r(R"((\w+)@(\w+)\.(\w+))"); for (std::sregex_iterator i(s.begin(), s.end(), r), e; i != e; ++i) std::cout << (*i)[1] << ' ' << (*i)[3] << '\n'; std::cout << std::regex_replace(s, r, "<$2>") << '\n'; }
