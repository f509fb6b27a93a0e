# SPDX-License-Identifier: Apache-2.0
"""Decides what is in the archive: patients, studies, series and RIS exams, from the seed alone."""
import datetime
import hashlib

import numpy as np

from .files import BIG, DEFLATED, EXPLICIT, IMPLICIT, J2K, J50, J57, J70, JLS, RLE, uid

SOP = {'CT': '1.2.840.10008.5.1.4.1.1.2', 'MR': '1.2.840.10008.5.1.4.1.1.4', 'CR': '1.2.840.10008.5.1.4.1.1.1',
       'DX': '1.2.840.10008.5.1.4.1.1.1.1', 'US': '1.2.840.10008.5.1.4.1.1.6.1', 'USM': '1.2.840.10008.5.1.4.1.1.3.1',
       'NM': '1.2.840.10008.5.1.4.1.1.20', 'MG': '1.2.840.10008.5.1.4.1.1.1.2', 'OT': '1.2.840.10008.5.1.4.1.1.7',
       'SR': '1.2.840.10008.5.1.4.1.1.88.11', 'KO': '1.2.840.10008.5.1.4.1.1.88.59', 'PR': '1.2.840.10008.5.1.4.1.1.11.1'}
# alphabetic family and given names, character set, other groups of the name
NAMES = [
    ('Smith', ('John', 'Mary', 'Alan'), '', ''), ('Müller', ('Jörg', 'Käthe', 'Björn'), 'ISO_IR 100', ''),
    ('Yamada', ('Tarou', 'Hanako'), '\\ISO 2022 IR 87', '=山田^太郎=やまだ^たろう'),
    ('Παπαδόπουλος', ('Γεώργιος', 'Ελένη'), 'ISO_IR 126', ''), ('Łukasik', ('Zoë', 'Paweł'), 'ISO_IR 192', ''),
    ('Garnier', ('Hélène', 'François'), 'ISO_IR 100', ''), ('van der Berg', ('Anna', 'Piet'), 'ISO_IR 100', ''),
    ("O'Neill", ('Sean', 'Aoife'), '', ''), ('Nguyễn', ('Thị Hoa', 'Văn An'), 'ISO_IR 192', ''),
    ('Suzuki', ('Ichirou', 'Yuki'), '\\ISO 2022 IR 87', '=鈴木^一郎=すずき^いちろう'), ('Großmann', ('Änne', 'Uwe'), 'ISO_IR 100', ''),
]
SYNTAXES = {'CT': (IMPLICIT, EXPLICIT, J70, JLS, J2K, RLE, BIG, EXPLICIT, J57, IMPLICIT, DEFLATED),
            'MR': (EXPLICIT, J70, IMPLICIT, JLS, RLE, J2K, BIG, DEFLATED), 'CR': (IMPLICIT, J70, JLS, EXPLICIT, BIG, J57),
            'DX': (J2K, EXPLICIT, JLS, J70), 'US': (J50, RLE, EXPLICIT, J70, JLS, IMPLICIT),
            'USM': (J50, EXPLICIT, RLE), 'NM': (EXPLICIT, BIG, RLE, J70, IMPLICIT), 'MG': (J70, JLS, EXPLICIT, J2K),
            'OT': (EXPLICIT, J50, RLE, DEFLATED, J2K)}
DESCRIPTION = {'CT': 'CT Abdomen', 'MR': 'MR Brain', 'CR': 'Chest pa', 'DX': 'Knee left', 'US': 'US Liver', 'NM': 'Bone scan',
               'MG': 'Screening', 'OT': 'Scanned document'}
# How a study of the special set stands to the RIS.
SPECIAL = ['wrong-mrn', 'wrong-person', 'r5', 'r0-no-accession', 'no-exam', 'cancelled', 'corrected-r0', 'corrected-r1',
           'no-accession-no-exam', 'corrected-r1', 'no-exam', 'wrong-mrn', 'r0-no-accession', 'merged', 'mistyped']


class Planner:
    """Draws patients and studies; `studies` and `exams` are the result."""

    def __init__(self, seed, objects, small):
        self.seed, self.objects, self.small = seed, objects, small
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.patients, self.studies, self.exams, self.merges = [], [], [], []
        self.turn = {}
        self.count = 0

    def run(self):
        """Plans exactly the wanted number of healthy objects."""
        for scenario in SPECIAL:
            if self.objects - self.count >= 2:
                self.study('CR' if len(self.studies) % 2 else 'CT', scenario)
        kinds = ['CT', 'MR', 'CR', 'US', 'CT', 'NM', 'MR', 'DX', 'OT', 'CT', 'MR', 'MG', 'US', 'CT', 'MR', 'CR']
        i = 0
        while self.count < self.objects:
            self.study(kinds[i % len(kinds)], 'r0' if i % 2 else 'r1')
            i += 1
        self.ris_only()
        return self

    def patient(self, name=None):
        """A new patient, with the name of that number in NAMES or the next one."""
        n = len(self.patients)
        last, firsts, charset, groups = NAMES[n % len(NAMES) if name is None else name]
        first = firsts[0] if groups else firsts[(n // len(NAMES)) % len(firsts)]
        family = last if groups else last + ['', '-Kay', '-Roth', '-Lind'][(n // 33) % 4]
        middle = 'Q' if charset == '' and n % 2 else ''
        born = datetime.date(1930, 1, 1) + datetime.timedelta(days=int(self.rng.integers(0, 25000)))
        digits = 1000000 + 37 * n + int(self.rng.integers(0, 37))
        patient = {'id': f'{digits:08d}', 'issuer': 'STV', 'last': family, 'first': first, 'middle': middle,
                   'dob': born.strftime('%Y%m%d'), 'sex': 'FM'[n % 2], 'charset': charset.split('\\') if '\\' in charset else charset,
                   'pn': '^'.join(p for p in (family, first, middle) if p) + groups, 'other': []}
        self.patients.append(patient)
        return patient

    def study(self, kind, scenario='r1', documents=True, count=None):
        """One study and, unless the scenario says otherwise, its exam."""
        n = len(self.studies)
        regular = scenario in ('r0', 'r1')
        again = regular and n % 4 == 3 and self.studies[-1]['scenario'] in ('r0', 'r1')
        who = self.patients[-1] if again else self.patient(1 if scenario == 'latin' else None)
        # a day of its own for every study, so that no two exams of a patient look alike
        day = datetime.date(2008, 1, 3) + datetime.timedelta(days=int((n * 61) % 4000))
        study = {'n': n, 'seed': self.seed, 'kind': kind, 'scenario': scenario, 'patient': dict(who),
                 'uid': uid(self.seed, 'study', n), 'date': day.strftime('%Y%m%d'),
                 'time': f'{8 + n % 10:02d}{(n * 7) % 60:02d}00', 'accession': f'A{day.year % 100:02d}{n:06d}',
                 'description': DESCRIPTION[kind], 'small': self.small, 'series': [], 'documents': []}
        token = hashlib.sha256(study['uid'].encode()).hexdigest()[:8]
        study['folder'] = f'archive/{day.year}/{day.month:02d}/{token}'
        room = self.objects - self.count if count is None else count
        few = None if regular and count is None else count or int(min(room, 2 + n % 2))
        for series in self.series_of(kind, few):
            series['count'] = min(series['count'], room)
            if series['count'] > 0:
                study['series'].append(series)
            room -= series['count']
        if documents and regular:
            for name in (('SR',), ('KO', 'PR'), ('PR',), (), ('SR', 'KO'))[n % 5]:
                if room > 0:
                    study['documents'].append(name)
                    room -= 1
        study['objects'] = sum(s['count'] for s in study['series']) + len(study['documents'])
        study['dicomdir'] = regular and n % 9 == 4 and study['objects'] <= 40
        study['suffix'] = '' if study['dicomdir'] or n % 3 else '.dcm'
        if count is None:
            self.count += study['objects']
        self.studies.append(study)
        self.exam(study)
        return study

    def syntax(self, kind):
        turn = self.turn.get(kind, 0)
        self.turn[kind] = turn + 1
        return SYNTAXES[kind][turn % len(SYNTAXES[kind])]

    def series_of(self, kind, few):
        """Shapes of the series of one study of this kind."""
        def series(sop, count, rows, cols, bits, **more):
            values = {'kind': sop, 'modality': 'US' if sop == 'USM' else sop, 'count': count, 'rows': rows, 'cols': cols,
                      'bits': bits, 'signed': False, 'photometric': 'MONOCHROME2', 'samples': 1, 'frames': 1,
                      'syntax': self.syntax(sop)}
            values.update(more)
            if self.small:
                values['rows'], values['cols'] = max(rows // 4, 16) | (rows & 1), max(cols // 4, 16) | (cols & 1)
                values['count'] = min(count, 4)
            return values
        draw = lambda low, high: few or int(self.rng.integers(low, high))
        turn = self.turn.get(kind, 0)
        if kind == 'CT':
            size = (256, 320, 512, 256, 384, 512)[turn % 6]
            bits, signed = ((12, True), (16, True), (12, False))[turn % 3]
            return [series('CT', few or (20 if size == 512 else draw(24, 48)), size, size, bits, signed=signed)]
        if kind == 'MR':
            size = (256, 256, 192, 224)[turn % 4]
            return [series('MR', draw(15, 30), size, size - (turn % 2) * 32, 12) for _ in range(1 if few else 2)]
        if kind in ('CR', 'DX'):
            rows, cols = ((701, 583), (640, 512), (833, 677))[turn % 3]
            return [series(kind, few or 2, rows, cols, (12, 14, 13)[turn % 3],
                           photometric='MONOCHROME1' if turn % 2 else 'MONOCHROME2')]
        if kind == 'US':
            full = turn % 4 == 2
            return [series('US', draw(4, 8), 480, 640, 8, samples=3, photometric='YBR_FULL' if full else 'RGB'),
                    series('USM', 1, 240, 320, 8, samples=3, photometric='RGB', frames=6 + turn % 5)]
        if kind == 'NM':
            return [series('NM', few or 2, (64, 128)[turn % 2], (64, 128)[turn % 2], 16, frames=16 + 8 * (turn % 4))]
        if kind == 'MG':
            return [series('MG', few or 4, 1280, 961, 12, photometric='MONOCHROME1' if turn % 2 else 'MONOCHROME2')]
        return [series('OT', few or 2, 401, 299, 8)]

    def exam(self, study):
        """The RIS row of a study and what the reconciliation should say about it."""
        who, scenario = study['patient'], study['scenario']
        row = {'PATIENT_ID': who['id'], 'ISSUER': who['issuer'], 'LAST': who['last'], 'FIRST': who['first'],
               'MIDDLE': who['middle'], 'DOB': who['dob'], 'SEX': who['sex'], 'ACCESSION': study['accession'],
               'MODALITY': study['kind'], 'STUDY_UID': study['uid'] if scenario == 'r0' else '', 'STUDY_DATE': study['date'],
               'STUDY_TIME': study['time'], 'STATUS': 'COMPLETED', 'OTHER_IDS': '', 'PROC_DESC': study['description'],
               'NUM_IMAGES': str(study['objects'])}
        rule, edits, answer = {'r0': 'R0', 'r1': 'R1', 'latin': 'R1'}.get(scenario), [], None
        if scenario in ('wrong-mrn', 'wrong-person'):
            old = '9' + who['id'][1:]
            if scenario == 'wrong-mrn':
                row['OTHER_IDS'], rule = f'{old};TMP-{who["id"]}', 'R2'
                edits.append(('0010,0020', who['id']))
            else:
                row.update(LAST='Ferreira', FIRST='Lucinda', MIDDLE='', DOB='19010203', SEX='F')
                rule = 'review'
            study['patient']['id'] = old
        elif scenario == 'merged':
            # filed before the merge of which only the HL7 history tells
            old = '8' + who['id'][1:]
            edits.append(('0010,0020', who['id']))
            self.merges.append({**who, 'old': old})
            study['patient']['id'], rule = old, 'R1'
        elif scenario == 'mistyped':
            # no message and no list joins the two numbers: people have to say whose images these are
            answer, rule = [('0010,0020', who['id'])], 'review'
            study['patient']['id'] = '7' + who['id'][1:]
        elif scenario in ('r5', 'r0-no-accession'):
            edits.append(('0008,0050', study['accession']))
            study['accession'], rule = '', 'R5' if scenario == 'r5' else 'R0'
            row['STUDY_UID'] = '' if scenario == 'r5' else study['uid']
        elif scenario == 'cancelled':
            row['STATUS'], rule = 'CANCELLED', 'review'
        elif scenario.startswith('corrected'):
            rule = scenario[-2:].upper()
            row['STUDY_UID'] = study['uid'] if rule == 'R0' else ''
            row['LAST'] = who['last'] + 's'
            groups = who['pn'].partition('=')
            edits.append(('0010,0010', '^'.join(p for p in (row['LAST'], who['first'], who['middle']) if p) + groups[1] + groups[2]))
        elif scenario in ('no-exam', 'no-accession-no-exam'):
            study['accession'] = '' if scenario.startswith('no-acc') else study['accession']
            row, rule = None, 'R10'
        elif scenario == 'two-patients':
            rule = 'review'
        study['truth'] = {'study': study['uid'], 'rule': rule, 'exam accession': row['ACCESSION'] if row else None,
                          'edits': [{'tag': tag, 'new': new} for tag, new in sorted(edits)], 'objects': study['objects'],
                          'codes': ['UID-STUDY2PAT'] if scenario == 'two-patients' else [], 'scenario': scenario}
        if answer:
            study['truth']['answer'] = [{'tag': tag, 'new': new} for tag, new in answer]
        study['exam'] = row
        if row:
            self.exams.append(row)

    def ris_only(self):
        """Exams of which the archive has nothing."""
        for i, status in enumerate(('COMPLETED', 'COMPLETED', 'SCHEDULED', 'CANCELLED')):
            who = self.patient()
            self.exams.append({'PATIENT_ID': who['id'], 'ISSUER': who['issuer'], 'LAST': who['last'], 'FIRST': who['first'],
                               'MIDDLE': who['middle'], 'DOB': who['dob'], 'SEX': who['sex'], 'ACCESSION': f'N{i:07d}',
                               'MODALITY': 'CT', 'STUDY_UID': '', 'STUDY_DATE': '20190604', 'STUDY_TIME': '101500', 'STATUS': status,
                               'OTHER_IDS': '', 'PROC_DESC': DESCRIPTION['CT'], 'NUM_IMAGES': '0'})
