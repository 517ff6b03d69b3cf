größe = "ü" * 3
raise ValueError(f"größe {größe} 文件 😀")
