# SPDX-License-Identifier: Apache-2.0
"""Ground truth over the whole tree: roles of objects that share a UID, and the files truth*.jsonl and exams.csv."""
import csv
import json
import os

COLUMNS = ['PATIENT_ID', 'ISSUER', 'LAST', 'FIRST', 'MIDDLE', 'DOB', 'SEX', 'ACCESSION', 'MODALITY', 'STUDY_UID', 'STUDY_DATE',
           'STUDY_TIME', 'STATUS', 'OTHER_IDS', 'PROC_DESC', 'NUM_IMAGES']


def path_text(path):
    """A path as text: bytes that are not UTF-8, control characters and '%' become %XX."""
    text = path.decode('utf-8', 'surrogateescape')
    out = []
    for c in text:
        n = ord(c)
        if 0xDC80 <= n <= 0xDCFF:
            out.append(f'%{n - 0xDC00:02X}')
        elif n < 0x20 or n == 0x7F or c == '%':
            out.append(f'%{n:02X}')
        else:
            out.append(c)
    return ''.join(out)


def scan_order(entry):
    return entry['path'].split(b'/')


def resolve(entries):
    """Sorts the entries as a scan walks them and decides who is the instance and who the duplicate."""
    entries.sort(key=scan_order)
    first = {}
    for entry in entries:
        if entry['bucket'] != 'instance':
            continue
        kept = first.setdefault(entry['sop_instance'], entry)
        if kept is entry:
            continue
        same_pixels = kept['pixel_source'] == entry['pixel_source']
        same = same_pixels and kept['dataset'] == entry['dataset']
        entry['bucket'] = 'duplicate-identical' if same else 'duplicate-conflict'
        finding = 'UID-DUPSAME' if same else 'UID-DUPSAMEPIX' if same_pixels else 'UID-DUPDIFF'
        entry['codes'] = sorted(entry['codes'] + [finding])
    return entries


def history(merges):
    """HL7 messages (ADT, UTF-8): each patient under the old number, then the merge into the number of today."""
    out = []
    for n, who in enumerate(merges, 1):
        pid = '|'.join(['PID', '1', '', '{}^^^' + who['issuer'] + '^MR', '', '^'.join((who['last'], who['first'], who['middle'])).rstrip('^'),
                        '', who['dob'], who['sex']])
        for trigger, time, number, more in (('A04', '20070102080000', who['old'], ''), ('A04', '20190301080000', who['id'], ''),
                                            ('A40', '20190302080000', who['id'], f'MRG|{who["old"]}^^^{who["issuer"]}^MR\r')):
            out.append(f'MSH|^~\\&|RIS|STV|PACS|STV|{time}||ADT^{trigger}|H{n}{trigger}{time}|P|2.5||||||UNICODE UTF-8\r'
                       f'EVN|{trigger}|{time}\r{pid.format(number)}\r{more}')
    return ''.join(out)


def write(out, entries, studies, exams, merges):
    """truth.jsonl, truth-studies.jsonl, exams.csv and history.hl7; the entries are resolved."""
    with open(os.path.join(out, 'history.hl7'), 'w', encoding='utf-8', newline='') as file:
        file.write(history(merges))
    with open(os.path.join(out, 'truth.jsonl'), 'w', encoding='utf-8', newline='\n') as file:
        for entry in entries:
            line = {k: v for k, v in entry.items() if k != 'dataset'}
            line['path'] = path_text(entry['path'])
            file.write(json.dumps(line, ensure_ascii=False) + '\n')
    with open(os.path.join(out, 'truth-studies.jsonl'), 'w', encoding='utf-8', newline='\n') as file:
        for study in sorted(studies, key=lambda s: s['study']):
            file.write(json.dumps(study, ensure_ascii=False) + '\n')
    with open(os.path.join(out, 'exams.csv'), 'w', encoding='utf-8', newline='') as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator='\n')
        table.writeheader()
        table.writerows(sorted(exams, key=lambda e: (e['STUDY_DATE'], e['ACCESSION'], e['STUDY_UID'])))
    with open(os.path.join(out, 'exams-control.toml'), 'w', encoding='utf-8') as file:
        file.write(f'rows = {len(exams)}\nimages = {sum(int(e["NUM_IMAGES"] or 0) for e in exams)}\n')
