exec("def f():\n    raise ValueError('exec')\nf()")
