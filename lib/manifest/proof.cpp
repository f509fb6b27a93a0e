// SPDX-License-Identifier: Apache-2.0
#include "manifest/proof.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "manifest/chain.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/study_tree.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace waybill::manifest {
namespace {

constexpr std::uint64_t kMostBytes = 1ULL << 30U;
constexpr std::string_view kFormat = "waybill-proof/1";

/// The newest signature that seals a tree.
Signature sealed_by(const std::filesystem::path& manifest) {
  Chain chain = open_chain(manifest);
  while (chain.next()) {
  }
  const auto& all = chain.signatures();
  const auto at = std::find_if(all.rbegin(), all.rend(), [](const Signature& s) { return s.tree.has_value(); });
  if (at != all.rend()) return *at;
  throw RunError(Exit::usage, path_to_text(manifest.native()) +
                                  " seals no tree of its studies; sign it with `waybill manifest sign --secret FILE`");
}

std::optional<Digest> digest_from(const std::string& hex) {
  const Bytes bytes = from_hex(hex);
  Digest out;
  if (bytes.size() != out.bytes.size() || to_hex(bytes) != hex) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

/// Whether a line may stand in the proof of this study: of kind object or study with its UID, or a finding about one of
/// its objects.
std::string problem_of_line(const std::string& line, const std::string& study, std::vector<std::string>& ids) {
  try {
    simdjson::dom::parser parser;
    const auto j = detail::parse_object(parser, line);
    const std::string_view kind = kind_of(line);
    if (kind == "finding") {
      const auto id = detail::need<std::string>(j, "id");
      return std::find(ids.begin(), ids.end(), id) != ids.end() ? "" : "is a finding about no object of the study";
    }
    if (kind != "object" && kind != "study") return "is no record of a study";
    if (detail::find<std::string>(j, "study").value_or("") != study) return "is of another study";
    if (kind == "object") ids.push_back(detail::need<std::string>(j, "id"));
    return {};
  } catch (const RunError&) {
    return "is no record";
  }
}

}  // namespace

Proof prove_study(const std::filesystem::path& manifest, const std::string& study,
                  const std::filesystem::path& secret_file) {
  const TreeSecret secret(secret_file);
  const Signature seal = sealed_by(manifest);
  const StudyTree tree(manifest, secret);
  if (tree.root().hex() != seal.tree->root || tree.size() != seal.tree->leaves) {
    throw RunError(Exit::integrity, "the root that " + path_to_text(manifest.native()) +
                                        " seals is not that of its studies with this secret; name the secret it was "
                                        "signed with, or sign it anew");
  }
  Proof proof;
  StudyDigest digest;
  each_study_line(manifest, [&](std::string_view of, std::string_view line) {
    if (of != study) return;
    digest.add(line);
    proof.lines.emplace_back(line);
  });
  if (proof.lines.empty()) {
    throw RunError(Exit::usage,
                   path_to_text(manifest.native()) + " holds no record of study " + study + "; check the UID");
  }
  const Digest salt = secret.salt(tree.head(), study);
  const Digest leaf = leaf_hash(study, salt, digest);
  const auto at = std::find(tree.leaves().begin(), tree.leaves().end(), leaf);
  if (at == tree.leaves().end()) {
    throw RunError(Exit::integrity,
                   path_to_text(manifest.native()) + " changed while it was read; run the command again");
  }
  proof.manifest = manifest.filename().string();
  proof.head = tree.head();
  proof.study = study;
  proof.salt = salt.hex();
  proof.index = static_cast<std::uint64_t>(at - tree.leaves().begin());
  proof.leaves = tree.size();
  for (const Digest& beside : audit_path(tree.leaves(), proof.index)) proof.path.push_back(beside.hex());
  proof.root = tree.root().hex();
  proof.key = seal.key;
  proof.value = seal.tree->value;
  return proof;
}

std::string to_json(const Proof& p) {
  JsonWriter w;
  w.begin_object().member("format", kFormat).member("manifest", p.manifest).member("head", p.head);
  w.member("study", p.study).member("salt", p.salt).key("lines").begin_array();
  for (const auto& line : p.lines) w.value(line);
  w.end_array().member("index", p.index).member("leaves", p.leaves).key("path").begin_array();
  for (const auto& beside : p.path) w.value(beside);
  w.end_array().member("root", p.root).member("key", p.key).member("value", p.value).end_object();
  return std::move(w).str();
}

Proof read_proof(const std::filesystem::path& file) {
  const auto bytes = io::read_file(file, kMostBytes);
  if (!bytes)
    throw RunError(Exit::input,
                   "the proof " + path_to_text(file.native()) + " " + bytes.error().what + "; check the path");
  try {
    simdjson::dom::parser parser;
    const auto j = detail::parse_object(parser, as_text(*bytes));
    if (detail::need<std::string>(j, "format") != kFormat) detail::bad_line("its format is another");
    // Of a member that stands twice some programs take the first and some the last: what one proves another would not
    // show.
    std::set<std::string_view> names;
    for (const auto& member : j) {
      if (!names.insert(member.key).second) detail::bad_line("a member of it stands twice");
    }
    Proof p;
    p.manifest = detail::find<std::string>(j, "manifest").value_or("");
    p.head = detail::need<std::string>(j, "head");
    p.study = detail::need<std::string>(j, "study");
    p.salt = detail::need<std::string>(j, "salt");
    p.lines = detail::texts(j, "lines");
    p.index = detail::need<std::uint64_t>(j, "index");
    p.leaves = detail::need<std::uint64_t>(j, "leaves");
    p.path = detail::texts(j, "path");
    p.root = detail::need<std::string>(j, "root");
    p.key = detail::need<std::string>(j, "key");
    p.value = detail::need<std::string>(j, "value");
    return p;
  } catch (const RunError&) {
    throw RunError(Exit::input, path_to_text(file.native()) +
                                    " is no proof of a study; name a file that "
                                    "`waybill manifest prove` wrote");
  }
}

std::vector<std::string> problems_of(const Proof& proof, const PublicKey& key) {
  std::vector<std::string> problems;
  StudyDigest digest;
  std::vector<std::string> ids;
  for (const std::string& line : proof.lines) {
    digest.add(line);
    const std::string problem = problem_of_line(line, proof.study, ids);
    if (!problem.empty()) problems.push_back("line " + std::to_string(digest.records) + " " + problem);
  }
  const auto salt = digest_from(proof.salt), root = digest_from(proof.root);
  std::vector<Digest> path;
  for (const auto& hex : proof.path) {
    if (const auto beside = digest_from(hex)) path.push_back(*beside);
  }
  if (!salt || !root || !digest_from(proof.head) || path.size() != proof.path.size()) {
    problems.emplace_back("a digest of it is not 64 hex digits");
    return problems;
  }
  const auto reached = root_of_path(leaf_hash(proof.study, *salt, digest), proof.index, proof.leaves, path);
  if (!reached || *reached != *root) {
    problems.emplace_back(
        "the records and the path do not lead to the root: a record, the study or the path was changed");
  }
  if (proof.key != key.id()) {
    problems.push_back("it names the key " + proof.key + ", the key given is " + key.id());
  } else if (!key.verifies(proof.value, tree_statement(proof.head, proof.root, proof.leaves))) {
    problems.emplace_back("the signature over head, root and number of leaves is not one of this key");
  }
  return problems;
}

}  // namespace waybill::manifest
