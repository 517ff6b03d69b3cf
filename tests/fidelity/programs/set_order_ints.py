print({3, 1, 2}, {i % 7 for i in range(50)}, dict.fromkeys("hello"))
