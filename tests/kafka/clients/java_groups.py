"""Groups.java against a broker that is restarted when it asks for that.

    java_groups.py JAVA_LIB_FOLDER ASSIGNOR STATIC
"""

import os
import subprocess
import sys

from broker import Broker

lib, assignor, static = sys.argv[1:]
b = Broker()
program = os.path.join(os.path.dirname(__file__), "java", "Groups.java")
java = subprocess.Popen(["java", "-XX:TieredStopAtLevel=1", "-Dlog4j2.StatusLogger.level=OFF", "-cp", lib + "/*", program, b.address, assignor, static],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
restarts = 0
for line in java.stdout:
    if line == "restart\n":
        b.stop()
        b.start()
        restarts += 1
        java.stdin.write("go on\n")
        java.stdin.flush()
    else:
        print(line, end="")
if java.wait() != 0:
    raise SystemExit(f"java ended with {java.returncode}")
assert restarts == 1, restarts
b.stop()
