# -*- coding: latin-1 -*-
print("grüße")
raise ValueError("grüße")
