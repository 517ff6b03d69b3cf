class Meta(type):
    def __del__(cls):
        print("del", cls.__name__)
class A(metaclass=Meta):
    pass
