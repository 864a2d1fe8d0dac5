"""plans.py LOG: is every plan that auto_explain has logged as json valid?

LOG is a server log as json.  Prints how many plans there are, by what became of them.
"""
import collections
import json
import sys

found = collections.Counter()
for line in open(sys.argv[1]):
    entry = json.loads(line)
    if entry['error_severity'] in ('WARNING', 'ERROR', 'FATAL', 'PANIC') and entry['message'] != 'division by zero':
        sys.exit('logged: ' + line)
    if '  plan:\n' not in entry['message']:
        continue
    plan = json.loads(entry['message'].split('  plan:\n')[1])
    node = plan['Plan']
    if not plan['Query Text'] or 'Actual Rows' not in node or not node.get('Output', [1]):
        sys.exit('incomplete: ' + line)
    if node['Node Type'] != 'Custom Scan':
        found['without the cache'] += 1
    elif node['Cache Status'].startswith('hit') == ('Plans' in node):
        sys.exit('not as its status says: ' + line)
    else:
        found[node['Cache Status']] += 1
print(', '.join('%d %s' % (n, what) for what, n in sorted(found.items())))
if len(sys.argv) > 2 and not (found['hit L1'] and found['miss']):
    sys.exit('no hits or no misses')
