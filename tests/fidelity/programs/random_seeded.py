import random
random.seed(5)
print(random.random(), random.randint(1, 100), random.sample(range(50), 5))
random.seed("text"); print(random.gauss(0, 1), random.choices("abc", k=5))
