// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"
#include "cli/run_tool.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "manifest/check.hpp"
#include "manifest/envelope.hpp"
#include "manifest/key.hpp"
#include "manifest/proof.hpp"
#include "manifest/reader.hpp"
#include "manifest/signature.hpp"
#include "manifest_derive.hpp"
#include "shared.hpp"

#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace waybill;

struct Options {
  std::string file;
  std::vector<std::string> files;  ///< of cat and check
  std::vector<std::string> against;
  std::string key, secret;
  std::string study, proof;
  std::string output;
  bool json = false;
  bool encryption = false;
};

Exit cat_one(const std::string& file) {
  manifest::Reader reader(file);
  while (const auto line = reader.next_line()) {
    if (stop_requested()) return Exit::interrupted;
    std::cout << *line << '\n';
    if (!std::cout) return Exit::ok;  // told of at the end, as for every tool
  }
  if (reader.end()) return Exit::ok;
  std::cerr << "waybill manifest: " << path_to_text(file)
            << " is an interrupted run, it has no end line; run its stage again to continue it\n";
  return Exit::interrupted;
}

Exit cat(const Options& options) {
  Exit exit = Exit::ok;
  for (const std::string& file : options.files)
    if (cat_one(file) != Exit::ok) exit = Exit::interrupted;
  return exit;
}

void print_check_json(const std::string& file, const manifest::CheckReport& report) {
  JsonWriter w;
  w.begin_object()
      .member("manifest", path_to_text(file))
      .member("complete", report.complete)
      .member("frames", report.frames)
      .member("records", report.records);
  w.member("bytes", report.bytes).member("torn_bytes", report.torn_bytes).member("head", report.head);
  w.key("signed_by").begin_array();
  for (const auto& key : report.signed_by) w.value(key);
  w.end_array().key("inputs").begin_array();
  for (const auto& input : report.inputs)
    w.begin_object().member("name", input.name).member("head", input.head).end_object();
  w.end_array().member("verified", report.verified).key("problems").begin_array();
  for (const auto& problem : report.problems) w.value(problem);
  w.end_array().member("exit", static_cast<int>(report.exit())).end_object();
  std::cout << w.str() << '\n';
}

/// Whether --against was given, and what it said.
enum class Against { not_asked, held, differs };

void print_check(const manifest::CheckReport& report, bool with_key, Against against) {
  for (const auto& problem : report.problems) std::cout << "problem: " << problem << '\n';
  std::cout << "frames   " << report.frames << "\nrecords  " << report.records << "\nbytes    " << report.bytes
            << "\nhead     " << report.head << '\n';
  for (const auto& input : report.inputs)
    std::cout << "input    " << (input.head.empty() ? "(head not known before its end)" : input.head) << ' '
              << input.name << '\n';
  for (const auto& key : report.signed_by) std::cout << "signed   by key " << key << '\n';
  if (with_key) std::cout << "verified " << (report.verified ? "yes" : "no") << '\n';
  if (against == Against::held) std::cout << "against  exactly the records that --against names\n";
  if (against == Against::differs && report.problems.size() == 1) {
    std::cout << "result   complete, but NOT made of what --against names\n";
  } else if (!report.problems.empty()) {
    const bool only_the_key = with_key && report.complete && !report.verified && report.problems.size() == 1;
    std::cout << (only_the_key ? "result   complete, but NOT SIGNED by this key\n" : "result   DAMAGED\n");
  } else if (!report.complete) {
    std::cout << "result   interrupted run, sound so far (" << report.torn_bytes << " unconfirmed bytes at its end)\n";
  } else {
    std::cout << "result   complete and sound"
              << (report.signed_by.empty() || with_key ? "" : " (signature not tried: no --key)") << '\n';
  }
}

/// Of several manifests the worst: damage before what cannot be read, that before an interrupted run.
Exit worse(Exit a, Exit b) {
  for (const Exit exit : {Exit::integrity, Exit::input, Exit::interrupted})
    if (a == exit || b == exit) return exit;
  return Exit::ok;
}

Against compare(const std::string& file, const Options& options, manifest::CheckReport& report) {
  if (options.against.empty() || !report.problems.empty() || !report.complete) return Against::not_asked;
  if (file == "-") throw RunError(Exit::usage, "--against reads the manifest again, so it takes a file");
  const std::string difference = tools::against(file, options.against);
  if (difference.empty()) return Against::held;
  report.problems.push_back("it is not made of what --against names: " + difference);
  return Against::differs;
}

Exit check(const Options& options) {
  std::optional<manifest::PublicKey> key;
  if (!options.key.empty()) key.emplace(options.key);
  const bool several = options.files.size() > 1;
  Exit exit = Exit::ok;
  for (const std::string& file : options.files) {
    try {
      auto report = manifest::check(file, key ? &*key : nullptr);
      const Against against = compare(file, options, report);
      if (several && !options.json) std::cout << "manifest " << path_to_text(file) << '\n';
      if (options.json)
        print_check_json(file, report);
      else
        print_check(report, key.has_value(), against);
      exit = worse(exit, report.exit());
    } catch (const RunError& error) {  // of several the others are checked all the same
      if (!several || error.exit() != Exit::input) throw;
      std::cerr << "waybill manifest: " << error.what() << '\n';
      exit = worse(exit, Exit::input);
    }
  }
  return exit;
}

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

struct Stats {
  Counts kinds, buckets, findings;
  std::uint64_t bytes = 0;

  void add(const manifest::Object& object) {
    ++kinds["object"];
    ++buckets[std::string(to_string(object.bucket))];
    bytes += object.source.size;
    for (const auto& finding : object.findings) ++findings[finding.code];
  }
  void add(const manifest::Study&) { ++kinds["study"]; }
  void add(const manifest::LateFinding& late) {
    ++kinds["finding"];
    ++findings[late.finding.code];
  }
  void add(const manifest::Intent&) { ++kinds["intent"]; }
  void add(const manifest::Gone&) { ++kinds["gone"]; }
  void add(const manifest::Other& other) { ++kinds[other.kind]; }
};

void print_table(const char* title, const Counts& counts) {
  if (counts.empty()) return;
  std::cout << title << '\n';
  for (const auto& [name, n] : counts) std::cout << "  " << name << "  " << n << '\n';
}

void json_table(JsonWriter& w, const char* title, const Counts& counts) {
  w.key(title).begin_object();
  for (const auto& [name, n] : counts) w.member(name, n);
  w.end_object();
}

Exit stats(const Options& options) {
  manifest::Reader reader(options.file);
  Stats stats;
  while (const auto record = reader.next()) {
    if (stop_requested()) return Exit::interrupted;
    std::visit([&](const auto& r) { stats.add(r); }, *record);
  }
  const bool complete = reader.end().has_value();
  if (options.json) {
    JsonWriter w;
    w.begin_object()
        .member("stage", reader.header().stage)
        .member("run", reader.header().run)
        .member("complete", complete);
    w.member("bytes", stats.bytes);
    json_table(w, "kinds", stats.kinds);
    json_table(w, "buckets", stats.buckets);
    json_table(w, "findings", stats.findings);
    w.end_object();
    std::cout << w.str() << '\n';
  } else {
    std::cout << "stage " << reader.header().stage << ", " << (complete ? "complete" : "interrupted") << '\n';
    print_table("records by kind", stats.kinds);
    print_table("objects by bucket", stats.buckets);
    print_table("findings by code", stats.findings);
    std::cout << "source bytes  " << stats.bytes << '\n';
  }
  return complete ? Exit::ok : Exit::interrupted;
}

Exit sign(const Options& options) {
  const std::string key = manifest::sign_manifest(options.file, options.key, options.secret);
  std::cout << "signed by key " << key << '\n';
  return Exit::ok;
}

Exit check_proof(const Options& options) {
  const manifest::Proof proof = manifest::read_proof(options.proof);
  const auto problems = manifest::problems_of(proof, manifest::PublicKey(options.key));
  for (const auto& problem : problems) std::cout << "problem: " << problem << '\n';
  std::cout << "study    " << path_to_text(proof.study) << "\nrecords  " << proof.lines.size() << "\nmanifest "
            << path_to_text(proof.manifest) << " by the proof's own word\nhead     " << path_to_text(proof.head)
            << "\nresult   "
            << (problems.empty() ? "these are the study's records in the manifest with this head\n" : "NOT PROVED\n");
  return problems.empty() ? Exit::ok : Exit::integrity;
}

/// `prove STUDY MANIFEST --secret FILE`, or `prove --check PROOF --key PUBLIC`.
Exit prove(const Options& options) {
  const bool checks = !options.proof.empty();
  if (checks ? options.key.empty() || !options.study.empty() || !options.secret.empty()
             : options.study.empty() || options.file.empty() || options.secret.empty()) {
    throw RunError(Exit::usage,
                   "prove takes STUDY, MANIFEST and --secret FILE, or --check PROOF and --key PUBLIC; give either");
  }
  if (checks) return check_proof(options);
  const manifest::Proof proof = manifest::prove_study(options.file, options.study, options.secret);
  audit::record_leaving_lines(proof.lines, options.output.empty() ? "-" : options.output);
  const std::string json = to_json(proof) + "\n";
  if (options.output.empty() || options.output == "-") {
    std::cout << json;
    return Exit::ok;
  }
  io::AtomicFile file(options.output);
  file.write(as_bytes(json));
  file.commit();
  return Exit::ok;
}

Exit encrypt(const Options& options) {
  const auto& key = manifest::keys_in_use().write_to;
  if (!key)
    throw RunError(Exit::usage,
                   "name the key to encrypt to with --encrypt-to or WAYBILL_ENCRYPT_TO; `waybill manifest keygen "
                   "--encryption` makes one");
  manifest::seal_file(options.file, options.output, *key);
  std::cout << "encrypted to key " << key->id() << ": " << options.output << '\n';
  return Exit::ok;
}

Exit decrypt(const Options& options) {
  manifest::unseal_file(options.file, options.output);
  std::cout << "decrypted, readable to all who may read the file: " << options.output << '\n';
  return Exit::ok;
}

Exit keygen(const Options& options) {
  if (options.encryption) {
    const std::string key = manifest::generate_secret(options.output);
    std::cout << "key " << key << ": " << options.output << '\n';
    return Exit::ok;
  }
  const std::string key = manifest::generate_key(options.output);
  std::cout << "key " << key << ": private " << options.output << ", public " << options.output << ".pub\n";
  return Exit::ok;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* text, Options& options) {
  auto* command = app.add_subcommand(name, text);
  command->add_option("manifest", options.file, "Manifest file, - for standard input")->required();
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error with a message
  CLI::App app("Read, check, compare, sign, sort, filter, merge, split and export manifests", "waybill-manifest");
  app.require_subcommand(1);
  app.fallthrough();  // before the subcommands, which take it over: shared options may stand behind their names
  Options options;
  auto* cat_command = app.add_subcommand("cat", "Print the records as JSON lines, checking the chain");
  auto* check_command = app.add_subcommand("check", "Prove every byte of manifests; exit 5 on damage");
  for (auto* command : {cat_command, check_command})
    command->add_option("manifest", options.files, "Manifest files, - for standard input")->required();
  check_command->add_option("--key", options.key, "Public key (PEM) that must have signed it");
  check_command->add_option(
      "--against", options.against,
      "What a merge or a part of a split was made from: prove that it holds exactly their records");
  check_command->add_flag("--json", options.json, "Print the result as one JSON object");
  auto* stats_command = add_command(app, "stats", "Count records by kind, bucket and finding code", options);
  stats_command->add_flag("--json", options.json, "Print the counts as one JSON object");
  auto* sign_command = add_command(app, "sign", "Append an Ed25519 signature", options);
  sign_command->add_option("--key", options.key, "Private key (PEM, rights 0600)")->required();
  auto* encrypt_command = add_command(app, "encrypt", "Write a copy encrypted to --encrypt-to", options);
  auto* decrypt_command = add_command(app, "decrypt", "Write a plain copy of an encrypted manifest", options);
  for (auto* command : {encrypt_command, decrypt_command})
    command->add_option("-o,--output", options.output, "File to write; it must not exist")->required();
  auto* keygen_command = app.add_subcommand("keygen", "Make an Ed25519 key pair, or a key to encrypt with");
  keygen_command->add_flag("--encryption", options.encryption, "A secret key for --encrypt-to");
  keygen_command->add_option("-o,--output", options.output, "File for the key; of a pair the public half is FILE.pub")
      ->required();
  sign_command->add_option("--secret", options.secret,
                           "Also seal the tree of the studies, with salts from this file (32 bytes or more, 0600)");
  auto* prove_command = app.add_subcommand("prove", "Show one study's records to belong to a signed manifest");
  prove_command->add_option("study", options.study, "Study Instance UID");
  prove_command->add_option("manifest", options.file, "Manifest signed with --secret");
  prove_command->add_option("--secret", options.secret, "The secret it was signed with");
  prove_command->add_option("-o,--output", options.output, "File for the proof; standard output without it");
  prove_command->add_option("--check", options.proof, "Proof to check instead");
  prove_command->add_option("--key", options.key, "Public key (PEM) of the signer");
  tools::Shared shared;
  shared.add_options(app, tools::Manifests::written, "--key,--decrypt-key");
  auto other_commands = tools::add_derive_commands(app);
  for (auto& command : tools::add_merge_commands(app)) other_commands.push_back(std::move(command));
  other_commands.push_back(tools::add_diff_command(app));
  const auto run = [&] {
    for (const auto& command : other_commands) {
      if (command.app->parsed()) return command.run();
    }
    if (cat_command->parsed()) return cat(options);
    if (check_command->parsed()) return check(options);
    if (stats_command->parsed()) return stats(options);
    if (sign_command->parsed()) return sign(options);
    if (prove_command->parsed()) return prove(options);
    if (encrypt_command->parsed()) return encrypt(options);
    if (decrypt_command->parsed()) return decrypt(options);
    return keygen(options);
  };
  return cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-manifest", run); });
}
