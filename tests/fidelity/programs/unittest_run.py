import unittest
class T(unittest.TestCase):
    def test_ok(self): self.assertEqual(1, 1)
    def test_bad(self): self.assertEqual(1, 2)
r = unittest.main(exit=False, argv=["x"], testRunner=unittest.TextTestRunner(stream=open("/dev/null", "w")))
print(r.result.testsRun, len(r.result.failures), r.result.failures[0][1])
