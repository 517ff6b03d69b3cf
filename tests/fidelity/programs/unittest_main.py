import unittest
class T(unittest.TestCase):
    def test_ok(self): pass
if __name__ == "__main__":
    unittest.main(verbosity=0, testRunner=unittest.TextTestRunner(stream=open("/dev/null", "w")))
