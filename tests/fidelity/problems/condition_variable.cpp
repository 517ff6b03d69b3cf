#include <condition_variable>
#include <iostream>
#include <queue>
#include <thread>
int main() { std::mutex m; std::condition_variable c; std::queue<int> q; long s = 0; std::thread t([&] { for (;;) { std::unique_lock l(m); c.wait(l, [&] { return !q.empty(); }); int x = q.front(); q.pop(); if (x < 0) return; s += x; } }); for (int i = 1; i <= 100; i++) { std::lock_guard l(m); q.push(i); c.notify_one(); } { std::lock_guard l(m); q.push(-1); c.notify_one(); } t.join(); std::cout << s << '\n'; return s != 5050; }
