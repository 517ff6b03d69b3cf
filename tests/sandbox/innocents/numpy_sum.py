try:
    import numpy as np
except ImportError:
    print("fine")
else:
    a = np.arange(1_000_000).reshape(1000, 1000); assert (a @ np.eye(1000)).sum() == a.sum(); np.linalg.inv(np.random.rand(50, 50) + np.eye(50) * 50); np.save("/tmp/x.npy", a); assert (np.load("/tmp/x.npy", mmap_mode="r") == a).all()
    print("fine")
