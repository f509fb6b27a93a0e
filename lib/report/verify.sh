#!/bin/sh
# Checks this evidence package with sh, coreutils, findutils, grep, awk, zstd, jq and openssl. Nothing of Waybill is used.
#
# Usage: sh verify.sh [KEY-ID]
#
# KEY-ID is the id of the signer's key, 16 hex digits, as it was given to you outside this package. Without it a package
# in which all signatures and the key were replaced looks sound.
# Exit 0: sound; 1: something does not hold, each with a line that begins with BAD; 2: the check could not be made.
set -u
LC_ALL=C
export LC_ALL
umask 077
wanted=$(printf %s "${1-}" | tr A-F a-f)
if [ $# -gt 1 ] || { [ $# -eq 1 ] && { [ ${#wanted} -ne 16 ] || [ -n "$(printf %s "$wanted" | tr -d 0-9a-f)" ]; }; }; then
  echo "verify.sh: '$*' is no key id: 16 hex digits, as they were given to you; leave it out to check without" >&2
  exit 2
fi
unset CDPATH # or cd might go to another folder of the same name
cd "$(dirname "$0")" || exit 2
for tool in sha256sum od split comm find grep awk zstd jq openssl; do
  command -v "$tool" >/dev/null || { echo "verify.sh: $tool is missing; install it and run this again" >&2; exit 2; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
: >"$work/bad"
: >"$work/own" # the same of one part of the check
: >"$work/heads"
mkdir "$work/m"

say() { # what a terminal would take for a command is left out
  case $* in
    *[![:print:]]*) printf '%s\n' "$*" | tr -d '\000-\010\013-\037\177-\377' ;;
    *) printf '%s\n' "$*" ;;
  esac
}
ok() { say "ok    $*"; }
note() { say "note  $*"; }
bad() { say "BAD   $*"; echo >>"$work/bad"; echo >>"$work/own"; }
sha() { sha256sum | cut -c1-64; }
frame_start=$(printf '\050\265\057\375') # the first bytes of every zstd frame

verified() { # KEY SIGNATURE TEXT
  openssl pkeyutl -verify -rawin -pubin -inkey "$1" -sigfile "$2" -in "$3" >/dev/null 2>&1
}

conclude() {
  problems=$(wc -l <"$work/bad")
  if [ "$problems" -eq 0 ] && [ -n "$wanted" ]; then say "SOUND: everything in this package holds together and is signed by the key $wanted"; exit 0; fi
  if [ "$problems" -eq 0 ]; then say "SOUND in itself; only with the KEY-ID that you were given is it known who signed it"; exit 0; fi
  say "NOT SOUND: $problems problems, see the lines that begin with BAD"
  exit 1
}

# --- the package: keys, the list of files, its signature -------------------------------------------------------------

check_keys() {
  for key in keys/*.pub; do
    [ -f "$key" ] || continue
    id=$(openssl pkey -pubin -in "$key" -outform DER 2>/dev/null | sha | cut -c1-16)
    [ "$key" = "keys/$id.pub" ] || bad "$key holds the key $id, not the one of its name: it was replaced"
  done
  [ -z "$wanted" ] || [ -f "keys/$wanted.pub" ] || bad "the key $wanted that you were given is not in this package"
}

# Ends the check when there are any: a pipe among the files would be waited for without end.
check_kinds() {
  find . ! -type d ! -type f >"$work/odd"
  while IFS= read -r name; do bad "$name is no regular file"; done <"$work/odd"
  [ ! -s "$work/odd" ] || conclude
}

check_list() {
  if [ ! -f SHA256SUMS ]; then bad "SHA256SUMS is missing: nothing says what belongs to the package"; return; fi
  if grep -Evq '^[0-9a-f]{64}  \./[A-Za-z0-9._/-]+$' SHA256SUMS || grep -Fq '/../' SHA256SUMS; then
    bad "SHA256SUMS has a line that is no digest and name of a file in this package"; return
  fi
  sha256sum -c SHA256SUMS 2>/dev/null </dev/null | grep -v ': OK$' >"$work/failed"
  while IFS= read -r line; do bad "${line%%: FAILED*} is missing or not the file that SHA256SUMS lists"; done <"$work/failed"
  find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sort >"$work/found"
  cut -c67- SHA256SUMS | sort >"$work/listed"
  comm -23 "$work/found" "$work/listed" >"$work/more"
  while IFS= read -r name; do bad "$name is not listed in SHA256SUMS: it was added"; done <"$work/more"
  [ -s "$work/failed" ] || [ -s "$work/more" ] || ok "all $(wc -l <SHA256SUMS) files are those of SHA256SUMS"
}

check_list_signature() {
  if [ ! -f SHA256SUMS.sig ]; then
    if [ -n "$wanted" ]; then bad "SHA256SUMS is not signed (SHA256SUMS.sig is missing)"
    else note "SHA256SUMS is not signed: who can write here can replace every file and the list"; fi
    return
  fi
  for key in keys/*.pub; do
    if [ -n "$wanted" ] && [ "$key" != "keys/$wanted.pub" ]; then continue; fi
    if verified "$key" SHA256SUMS.sig SHA256SUMS; then
      ok "SHA256SUMS is signed by the key $(basename "$key" .pub)"
      [ -n "$wanted" ] || note "compare this key id with the one you were given, best by giving it to this script"
      return
    fi
  done
  bad "the signature SHA256SUMS.sig is not one of SHA256SUMS by ${wanted:-a key of this package}"
}

# --- one manifest: frames, chain, end, signatures ------------------------------------------------------------------------

# Names the records of a frame that are not those that records/NAME.tsv.zst lists.
locate() { # MANIFEST FRAME-NUMBER TEXT
  list=records/${1##*/}.tsv.zst
  [ -f "$list" ] || return
  zstd -dcq "$list" 2>/dev/null | awk -F '\t' -v n="$2" '$1 == n' >"$work/rows"
  rm -rf "$work/lines"
  mkdir "$work/lines"
  (cd "$work/lines" && split -a 6 -l 1 - && find . -name 'x*' | sort | xargs -r sha256sum) <"$3" | cut -c1-16 >"$work/hashes"
  awk -F '\t' 'NR == FNR { there[$1] = 1; next } !($2 in there)' "$work/hashes" "$work/rows" >"$work/gone"
  head -n 20 "$work/gone" | while IFS="$(printf '\t')" read -r _ _ line kind id study; do
    bad "$1: line $line of frame $2, the record $kind $id of study ${study:--}, was changed or removed"
  done
  awk -F '\t' 'NR == FNR { there[$2] = 1; next } !($1 in there)' "$work/rows" "$work/hashes" | wc -l >"$work/new"
  [ "$(cat "$work/new")" -eq 0 ] || bad "$1: frame $2 has $(cat "$work/new") lines that were not there when the package was made"
}

# Cuts the next frame from the file: from `at` to the next place where a frame may begin. A frame's own bytes may look
# like a beginning, so one that cannot be read is tried again up to the places behind it.
cut_frame() { # MANIFEST END
  readable=no
  ahead=$starts
  for try in 1 2 3; do
    after=${ahead%% *}
    ahead=${ahead#* }
    [ -n "$after" ] && [ "$after" -lt "$2" ] || after=$2
    tail -c +$((at + 1)) "$1" | head -c $((after - at)) >"$work/piece"
    if zstd -dcq <"$work/piece" >"$text" 2>/dev/null; then
      readable=yes
      starts=$ahead
      return
    fi
    [ "$after" -ne "$2" ] || break
  done
  after=${starts%% *}
  starts=${starts#* }
  [ -n "$after" ] && [ "$after" -lt "$2" ] || after=$2
  tail -c +$((at + 1)) "$1" | head -c $((after - at)) >"$work/piece"
}

# Header, end and signature lines stand in a frame's first lines; all else is a record.
take_text() { # MANIFEST FRAME-NUMBER STATE-FOLDER
  { IFS= read -r line; IFS= read -r second; } <"$text"
  if [ "$2" -eq 0 ]; then
    printf '%s\n' "$line" >"$3/header"
    case $line in '{"kind":"header",'*) ;; *) bad "$1: frame 0 does not begin with a header line" ;; esac
  elif [ "$line" != "{\"kind\":\"block\",\"n\":$2,\"prev\":\"$hash\"}" ]; then
    bad "$1: frame $2 does not name the frame before it: one of the two was changed, dropped, added or moved"
    locate "$1" "$2" "$text"
    locate "$1" $(($2 - 1)) "$before_text"
  fi
  case $second in
    '{"kind":"end",'*) tail -n +2 "$text" >>"$3/end"; return ;;
    '{"kind":"signature",'*) printf '%s\t' "$hash" >>"$3/signatures"; tail -n +2 "$text" >>"$3/signatures"; return ;;
  esac
  [ ! -s "$3/end" ] || bad "$1: frame $2 has records behind the end"
  ! grep -q '^{"kind":"sample' "$text" || : >"$3/sampled"
  [ "$(grep -Ec '^\{"kind":"(header|block|end|signature)"' "$text")" -eq 1 ] || bad "$1: frame $2 holds a line that belongs elsewhere"
  tail -n +2 "$text" >>"$work/batch"
  [ $(($2 % 8)) -ne 7 ] || take_batch "$1" "$3"
}

# Kind, id, size, bucket and study of each record: what the checks further down need of it.
take_batch() { # MANIFEST STATE-FOLDER
  jq -r '[.kind, .id // "", (.source | objects | .size) // "", .bucket // "", .study // ""] | @tsv' \
    <"$work/batch" >>"$2/records" 2>/dev/null || bad "$1: it holds a line that is no record"
  : >"$work/batch"
}

# Seal and frame table say nothing that the frames do not say; they only have to agree.
check_tail() { # MANIFEST SEAL-OFFSET
  seal="5d2a4d182800000077617962696c6c31$hash"
  [ "$(tail -c +$(($2 + 1)) "$1" | head -c 48 | od -An -v -tx1 | tr -d ' \n')" = "$seal" ] ||
    bad "$1: the seal does not name the last frame: frames were cut off or added at the end"
  tail -c "$((8 * entries + 9))" "$1" | head -c "$((8 * entries))" | od -An -v -w8 -tu4 --endian=little | awk '{ print $1 }' >"$work/table"
  echo 48 >>"$work/sizes"
  cmp -s "$work/table" "$work/sizes" || bad "$1: the frame table does not fit the frames"
}

check_counts() { # MANIFEST STATE-FOLDER
  jq -r '.state, .records, (.counts.buckets | objects | to_entries[] | select(.value != 0) | [.key, .value] | @tsv)' \
    "$2/end" >"$work/stated" 2>/dev/null
  if [ "$(wc -l <"$2/end")" -ne 1 ] || [ "$(head -n 1 "$work/stated")" != complete ]; then
    bad "$1: it has no end line that says complete"
    return
  fi
  stated=$(head -n 2 "$work/stated" | tail -n 1)
  found=$(wc -l <"$2/records")
  [ "$stated" = "$found" ] || bad "$1: the end line states $stated records, there are $found"
  awk -F '\t' '$1 == "object" { n[$4]++ } END { for (b in n) print b "\t" n[b] }' "$2/records" | sort >"$2/buckets"
  tail -n +3 "$work/stated" | sort >"$work/counts"
  if [ -s "$work/counts" ] && ! cmp -s "$work/counts" "$2/buckets"; then
    bad "$1: the end line's counts of buckets are not those of the records"
  fi
}

check_signatures() { # MANIFEST STATE-FOLDER HEAD
  cut -f2- "$2/signatures" | jq -r '[.key, .value, .tree.root // "-", .tree.leaves // "-", .tree.value // "-"] | @tsv' >"$work/values" 2>/dev/null ||
    bad "$1: a signature cannot be read"
  cut -f1 "$2/signatures" | paste - "$work/values" >"$work/signatures"
  while IFS="$(printf '\t')" read -r signed key value root leaves sealed; do
    printf %s "$value" | base64 -d >"$work/sig" 2>/dev/null
    printf %s "$signed" >"$work/signed"
    case $key in *[!0-9a-f]*|'') bad "$1: a signature names no key"; continue ;; esac
    if [ ! -f "keys/$key.pub" ]; then bad "$1: it is signed by the key $key, which is not in this package"; continue; fi
    if ! verified "keys/$key.pub" "$work/sig" "$work/signed"; then bad "$1: the signature by the key $key does not fit its content"; continue; fi
    echo "$key" >>"$2/signed"
    [ "$root" != - ] || continue
    printf %s "$sealed" | base64 -d >"$work/sig" 2>/dev/null
    printf 'waybill-tree/1\n%s\n%s\n%s\n' "$3" "$root" "$leaves" >"$work/signed"
    verified "keys/$key.pub" "$work/sig" "$work/signed" || bad "$1: the tree of its studies is not signed by the key $key"
  done <"$work/signatures"
  if [ -n "$wanted" ] && [ -s "$2/signatures" ] && ! grep -qx "$wanted" "$2/signed"; then bad "$1: it is not signed by the key $wanted"; fi
}

check_manifest() { # MANIFEST
  state=$work/m/${1##*/}
  mkdir "$state"
  for name in header end signatures signed records buckets; do : >"$state/$name"; done
  : >"$work/own"
  size=$(wc -c <"$1")
  end=$size
  entries=0
  set -- "$1" $(tail -c 9 "$1" | od -An -v -tu1)
  if [ "${6-} ${7-} ${8-} ${9-} ${10-}" = "0 177 234 146 143" ]; then
    entries=$(($2 + 256 * ($3 + 256 * ($4 + 256 * $5))))
    end=$((size - 8 * entries - 65))
  fi
  if [ "$entries" -lt 1 ] || [ "$end" -lt 0 ]; then bad "$1: it ends without its frame table: it was cut off or never finished"; end=$size; fi
  starts=$(grep -abFo "$frame_start" "$1" | cut -d: -f1 | tr '\n' ' ')
  [ "${starts%% *}" = 0 ] || bad "$1: it does not begin with a frame"
  starts=${starts#* }
  : >"$work/sizes"
  : >"$work/text1"
  : >"$work/batch"
  at=0 number=0 hash='' head=''
  while [ "$at" -lt "$end" ]; do
    text=$work/text$((number % 2))
    before_text=$work/text$(((number + 1) % 2))
    cut_frame "$1" "$end"
    if [ "$readable" = yes ]; then
      take_text "$1" "$number" "$state"
    else
      bad "$1: frame $number (byte $at) cannot be read: a byte of it was changed or it was cut"
      : >"$text"
    fi
    echo $((after - at)) >>"$work/sizes"
    hash=$(sha256sum <"$work/piece")
    hash=${hash%% *}
    [ -s "$state/signatures" ] || head=$hash
    at=$after
    number=$((number + 1))
  done
  take_batch "$1" "$state"
  [ "$end" -eq "$size" ] || check_tail "$1" "$end"
  check_counts "$1" "$state"
  check_signatures "$1" "$state" "$head"
  jq -rn --slurpfile h "$state/header" --slurpfile e "$state/end" '($e[0].inputs // [] | map({(.name): .head}) | add // {}) as $late
    | $h[0] | ([.stage, .created] | @tsv), (.inputs[]? | [.name, .head // $late[.name] // ""] | @tsv)' >"$work/told" 2>/dev/null
  jq -r '.options | (.split | strings | select(test("^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$"))) // (if .merge then "merge" else "" end)' "$state/header" >"$state/share" 2>/dev/null
  head -n 1 "$work/told" >"$state/stage"
  tail -n +2 "$work/told" >"$state/inputs"
  if grep -Evq '	([0-9a-f]{64})?$' "$state/inputs"; then bad "$1: an input has a head that is no SHA-256"; : >"$state/inputs"; fi
  objects=$(grep -c '^object	' "$state/records")
  IFS="$(printf '\t')" read -r stage created <"$state/stage"
  case $stage in scan) rank=0 ;; reconcile) rank=1 ;; transcode) rank=2 ;; load) rank=3 ;; verify) rank=4 ;; *) rank=5 ;; esac
  printf '%s\t%s\t%s\t%s\t%s\n' "$head" "$rank" "$created" "$objects" "${1##*/}" >>"$work/heads"
  [ ! -s "$work/own" ] || return
  by=$(sort -u "$state/signed" | tr '\n' ' ')
  ok "$1: $number frames, $(wc -l <"$state/records") records, $([ -n "$by" ] && echo "signed by ${by% }" || echo 'not signed'), head $head"
}

# Each sample's list is the one whose digest the manifest committed to before anything was fetched.
check_samples() {
  for state in "$work"/m/*; do
    [ ! -f "$state/sampled" ] || [ -f "samples/${state##*/}.jsonl" ] || bad "${state##*/} drew a sample, and samples/${state##*/}.jsonl is missing"
  done
  for sample in samples/*.jsonl; do
    [ -f "$sample" ] || continue
    told=$(jq -r 'select(.kind == "sample").list_sha256' "$sample")
    is=$(jq -r 'select(.kind == "sample-object").id' "$sample" | sha)
    zstd -dcq "manifests/$(basename "$sample" .jsonl)" 2>/dev/null | grep '^{"kind":"sample' | cmp -s - "$sample" ||
      bad "$sample is not the sample of its manifest"
    if [ "$told" = "$is" ]; then ok "$sample: the list of $(grep -c '"sample-object"' "$sample") objects is the one committed to"
    else bad "$sample: the list is not the one that the manifest committed to"; fi
  done
}

# --- between the manifests: links, ledger, the report --------------------------------------------------------------------

# The manifest with objects that this one was made from: the last of its inputs by stage and time.
source_of() { # STATE-FOLDER
  cut -f2 "$1/inputs" | while IFS= read -r input; do [ -n "$input" ] && grep "^$input	" "$work/heads"; done |
    awk -F '\t' '$4 > 0' | sort -t "$(printf '\t')" -k2,3 | tail -n 1 | cut -f5
}

name_some() { # WHAT FILE
  [ -s "$2" ] || return
  head -n 20 "$2" | while IFS= read -r id; do bad "$1: $id"; done
  [ "$(wc -l <"$2")" -le 20 ] || bad "$1: $(wc -l <"$2") in all"
}

check_links() { # NAME STATE-FOLDER
  while IFS="$(printf '\t')" read -r input input_head; do
    if grep -q "^$input_head	" "$work/heads"; then continue; fi
    if [ -n "$input_head" ] && grep -q "^$input_head  \./rules/" SHA256SUMS; then ok "$1 was made with $(grep "^$input_head " SHA256SUMS | cut -c67-)"; continue; fi
    case $input in
      *.wb|-) grep -q '^scan	' "$2/stage" && note "$1 continues $input, which is not in this package" ||
        bad "$1 was made from $input with head $input_head, which is not in this package" ;;
      *) note "$1 was made with $input, SHA-256 $input_head, which is not in this package" ;;
    esac
  done <"$2/inputs"
}

# Ids and buckets of what a scan alone can say needs no transfer.
settled_by_scan() { # RECORDS
  awk -F '\t' '$1 == "object" && $4 ~ /^(duplicate-identical|dicomdir|non-dicom|non-instance|empty)$/ { print $2 " " $4 }' "$1" | sort
}

same_objects() { # NAME RECORDS SOURCE-NAME SOURCE-RECORDS [settled]
  grep '^object	' "$2" | cut -f2 | sort >"$work/after"
  grep '^object	' "$4" | cut -f2 | sort >"$work/before"
  comm -23 "$work/before" "$work/after" | uniq >"$work/lost"
  comm -13 "$work/before" "$work/after" | uniq >"$work/invented"
  name_some "$1 lost an object of $3" "$work/lost"
  name_some "$1 has an object that $3 has not" "$work/invented"
  was=$(awk -F '\t' '$1 == "object" { n += $3 } END { printf "%.0f", n }' "$4")
  is=$(awk -F '\t' '$1 == "object" { n += $3 } END { printf "%.0f", n }' "$2")
  [ "$was" = "$is" ] || bad "$1 has $is source bytes, $3 has $was"
  if [ -s "$work/lost" ] || [ -s "$work/invented" ] || [ -s "$work/twice" ] || [ "$was" != "$is" ]; then return; fi
  if [ "${5-}" = settled ]; then
    settled_by_scan "$4" >"$work/before"
    settled_by_scan "$2" >"$work/settled"
    comm -3 "$work/before" "$work/settled" | tr -d '\t' | cut -d' ' -f1 | sort -u >"$work/changed"
    name_some "$1 says otherwise than $3 what needs no transfer, object" "$work/changed"
    [ ! -s "$work/changed" ] || return
  fi
  ok "ledger: $1 has exactly the objects of $3 ($(wc -l <"$work/after"), $is bytes)"
}

with_head() { # HEAD
  awk -F '\t' -v h="$1" '$1 == h { print $5; exit }' "$work/heads"
}

# A merge has the objects of all its inputs, each once. False when none of them is here.
check_merge() { # NAME STATE-FOLDER
  : >"$work/union"
  here=0 all=0
  while IFS="$(printf '\t')" read -r _ input_head; do
    all=$((all + 1))
    input=$(with_head "$input_head")
    [ -n "$input" ] || continue
    here=$((here + 1))
    grep '^object	' "$work/m/$input/records" >>"$work/union"
  done <"$2/inputs"
  [ "$here" -gt 0 ] || return 1
  if [ "$here" -ne "$all" ]; then bad "$1 was merged from $all manifests, of which $((all - here)) are not in this package"; return 0; fi
  sort -t "$(printf '\t')" -u -k2,2 "$work/union" >"$work/once"
  IFS="$(printf '\t')" read -r stage created <"$2/stage"
  # Scans that are merged settle the duplicates between them.
  same_objects "$1" "$2/records" "its $all inputs" "$work/once" "$([ "$stage" = scan ] || echo settled)"
}

# All parts of a split together have the objects of what was split. Checked with the first; false when that is not here.
check_parts() { # NAME STATE-FOLDER PART/OF
  whole_head=$(cut -f2 "$2/inputs" | head -n 1)
  whole=$(with_head "$whole_head")
  [ -n "$whole" ] || return 1
  first=''
  : >"$work/union"
  : >"$work/numbers"
  for other in "$work"/m/*; do
    [ "$(cut -f2 "$other/inputs" | head -n 1)" = "$whole_head" ] || continue
    case $(cat "$other/share") in */"${3#*/}") ;; *) continue ;; esac
    [ -n "$first" ] || first=$other
    cat "$other/share" >>"$work/numbers"
    grep '^object	' "$other/records" >>"$work/union"
  done
  [ "$first" = "$2" ] || return 0
  parts=$(sort -u "$work/numbers" | wc -l)
  if [ "$parts" -ne "${3#*/}" ]; then bad "$whole was split in ${3#*/}, of which $((${3#*/} - parts)) are not in this package"; return 0; fi
  cut -f2 "$work/union" | sort | uniq -d >"$work/twice"
  name_some "more than one part of $whole has an object" "$work/twice"
  same_objects "$whole in $parts parts" "$work/union" "$whole" "$work/m/$whole/records" settled
}

check_balance() { # NAME STATE-FOLDER
  grep '^object	' "$2/records" | cut -f2 | sort >"$work/after"
  uniq -d "$work/after" >"$work/twice"
  name_some "$1 has an object more than once" "$work/twice"
  share=$(cat "$2/share")
  case $share in
    merge) ! check_merge "$1" "$2" || return ;;
    */*) ! check_parts "$1" "$2" "$share" || return ;;
  esac
  source=$(source_of "$2")
  IFS="$(printf '\t')" read -r stage created <"$2/stage"
  if [ -z "$source" ]; then
    [ "$stage" = scan ] || bad "$1: no manifest with objects of this package is what it was made from"
    return
  fi
  if [ "$stage" = reconcile ]; then
    grep '^object	' "$work/m/$source/records" | awk -F '\t' '$4 == "instance" && $5 != "" { print $5 }' | sort -u >"$work/before"
    grep '^study	' "$2/records" | cut -f5 | sort -u >"$work/after"
    comm -23 "$work/before" "$work/after" >"$work/lost"
    name_some "$1 has no record of a study of $source" "$work/lost"
    [ -s "$work/lost" ] || ok "ledger: $1 has every study of $source ($(wc -l <"$work/before"))"
    return
  fi
  same_objects "$1" "$2/records" "$source" "$work/m/$source/records" settled
}

check_report() {
  report=report/report.json
  { [ -f "$report" ] && jq -e .manifests "$report" >/dev/null 2>&1; } || { bad "$report is missing or no report"; return; }
  : >"$work/own"
  jq -r '.manifests[] | .head as $head | [.head, "", .levels.objects], (.buckets | to_entries[] | [$head, .key, .value.objects]) | @tsv' "$report" >"$work/report"
  awk -F '\t' '$2 == "" { print $1 }' "$work/report" | sort >"$work/told"
  cut -f1 "$work/heads" | sort >"$work/here"
  comm -23 "$work/told" "$work/here" >"$work/lost"
  comm -13 "$work/told" "$work/here" >"$work/invented"
  name_some "the report speaks of a manifest that is not here, head" "$work/lost"
  name_some "the report does not speak of a manifest that is here, head" "$work/invented"
  while IFS="$(printf '\t')" read -r head _ _ objects name; do
    grep -q "^$head	" "$work/report" || continue
    told=$(awk -F '\t' -v h="$head" '$1 == h && $2 == "" { print $3 }' "$work/report")
    [ "$told" = "$objects" ] || bad "the report says $told objects of $name, there are $objects"
    awk -F '\t' -v h="$head" '$1 == h && $2 != "" { print $2 "\t" $3 }' "$work/report" | sort >"$work/told"
    cmp -s "$work/told" "$work/m/$name/buckets" || bad "the report's buckets of $name are not those of its records"
  done <"$work/heads"
  unexplained=$(jq -r .unexplained_total "$report")
  [ "$unexplained" = 0 ] || bad "the report itself lists $unexplained unexplained differences"
  [ -s "$work/own" ] || ok "the report speaks of these manifests and counts their objects as they stand"
}

check_kinds
check_keys
check_list
check_list_signature
for manifest in manifests/*; do
  if [ ! -e "$manifest" ]; then bad "there is no manifest in this package"; continue; fi
  if [ ! -f "$manifest" ]; then bad "$manifest is no file"; continue; fi
  check_manifest "$manifest"
done
for state in "$work"/m/*; do
  [ -d "$state" ] || continue
  check_links "${state##*/}" "$state"
  check_balance "${state##*/}" "$state"
done
check_samples
check_report
conclude
