import pickle,copyreg,shelve,dbm,marshal,json,csv,configparser,io,struct,array,base64,binascii,hashlib,hmac,zlib,secrets,uuid,random,statistics
class A:
    def __init__(s,x): s.x=x
    def __reduce__(s): return A,(s.x,)
print(pickle.loads(pickle.dumps(A(3))).x, pickle.dumps([1],0)); d=shelve.open("s"); d["a"]=[1]; print(d["a"]); d.close(); print(dbm.whichdb("s"))
random.seed(42); print(random.random(),random.choices("abc",k=5),random.gauss(0,1)); print(hashlib.sha3_256(b"x").hexdigest(),hashlib.blake2b(b"x",digest_size=8).hexdigest(),hmac.new(b"k",b"m","sha1").hexdigest(),uuid.uuid5(uuid.NAMESPACE_DNS,"x"),sorted(hashlib.algorithms_guaranteed)[:3])
print(uuid.UUID(int=uuid.uuid1().int).version, len(str(uuid.getnode()))>0)
