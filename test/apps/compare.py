"""compare.py NAME EXPECTED GOT: are the answers of two runs the same?

Both are files of lines "WHAT<tab>ANSWER".  Prints "ok - NAME: WHAT" for everything that
was asked, or what differs.
"""
import collections
import sys

NAME, EXPECTED, GOT = sys.argv[1:]


def answers(path):
    found = collections.defaultdict(list)
    for line in open(path):
        what, answer = line.rstrip('\n').split('\t', 1)
        found[what].append(answer)
    return found


expected, got = answers(EXPECTED), answers(GOT)
failed = not expected
for what in dict.fromkeys([*expected, *got]):
    if expected[what] == got[what]:
        print(f'ok - {NAME}: {what} ({len(got[what])} answers)')
        continue
    failed = True
    print(f'not ok - {NAME}: {what} ({len(expected[what])} answers expected, {len(got[what])} given)')
    for number, pair in enumerate(zip(expected[what], got[what])):
        if pair[0] != pair[1]:
            at = next((i for i, (a, b) in enumerate(zip(*pair)) if a != b), min(map(len, pair)))
            print(f'    answer {number}, expected:  {pair[0][max(0, at - 100):at + 100]}')
            print(f'    answer {number}, given:     {pair[1][max(0, at - 100):at + 100]}')
            break
sys.exit(failed)
