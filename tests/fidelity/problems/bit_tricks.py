assert all(n & (n - 1) == 0 for n in (1, 2, 4, 1024)); print(bin(0b1011 & -0b1011), (255).bit_length(), ~5, -7 >> 1, -7 // 2, -7 % 3)
