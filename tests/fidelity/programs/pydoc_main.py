import pydoc
print(pydoc.render_doc(print, renderer=pydoc.plaintext))
