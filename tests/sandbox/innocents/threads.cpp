#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <iostream>
#include <thread>
#include <vector>
int main() { std::atomic<int> n{0}; std::vector<std::thread> t; for (int i = 0; i < 8; i++) t.emplace_back([&] { for (int j = 0; j < 1000; j++) n++; }); for (auto &x : t) x.join(); auto f = std::async(std::launch::async, [] { return 42; }); std::this_thread::sleep_for(std::chrono::milliseconds(5)); thread_local int z = 3; std::cout << (n == 8000 && f.get() == 42 && z == 3 ? "fine" : "wrong") << "\n"; }
