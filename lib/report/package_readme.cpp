// SPDX-License-Identifier: Apache-2.0
#include "report/package_readme.hpp"

#include "report/package_assets.hpp"

#include <algorithm>
#include <utility>

namespace waybill::report {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// The manifest that is looked at by hand, and the key that signed it last: the first that one of `keys` signed.
std::pair<const ManifestSummary*, std::string> example(const Report& report, const std::set<std::string>& keys) {
  for (const ManifestSummary& m : report.manifests) {
    if (!m.signers.empty() && keys.contains(m.signers.back().key)) return {&m, m.signers.back().key};
  }
  return {&report.manifests.front(), ""};
}

/// Two manifests of which the second must have the objects of the first: the last such pair.
std::pair<std::string, std::string> last_pair(const Report& report, const std::map<std::string, std::string>& names) {
  const auto file_of = [&](const std::string& name) {
    for (const ManifestSummary& m : report.manifests) {
      if (m.name == name && m.levels.objects > 0 && names.contains(m.head)) return names.at(m.head);
    }
    return std::string();
  };
  for (auto balance = report.balances.rbegin(); balance != report.balances.rend(); ++balance) {
    auto before = file_of(balance->input), after = file_of(balance->output);
    if (!balance->increment && !before.empty() && !after.empty()) return {std::move(before), std::move(after)};
  }
  return {};
}

/// Takes the lines from `begin` to `end` out, or only these two marks.
void part(std::string& text, const std::string& begin, const std::string& end, bool keep) {
  const std::size_t from = text.find(begin), to = text.find(end);
  if (keep) {
    text.erase(to, end.size());
    text.erase(from, begin.size());
  } else {
    text.erase(from, to + end.size() - from);
  }
}

}  // namespace

std::string package_readme(const Report& report, const std::map<std::string, std::string>& names,
                           const std::set<std::string>& keys, const std::string& key) {
  std::string text(kPackageReadme);
  const auto [one, signer] = example(report, keys);
  const auto [before, after] = last_pair(report, names);
  part(text, "{{given\n", "given}}\n", !key.empty());
  part(text, "{{signed\n", "signed}}\n", !key.empty());
  part(text, "{{signature\n", "signature}}\n", !signer.empty());
  part(text, "{{pair\n", "pair}}\n", !before.empty());
  replace_all(text, "{{ID}}", key.empty() ? "" : " KEY-ID");  // not the id itself: it must come from elsewhere
  replace_all(text, "{{KEY}}", key);
  replace_all(text, "{{SIGNER}}", signer);
  replace_all(text, "{{ONE}}", names.at(one->head));
  replace_all(text, "{{LAST}}", names.at(report.manifests.back().head));
  replace_all(text, "{{BEFORE}}", before);
  replace_all(text, "{{AFTER}}", after);
  return text;
}

}  // namespace waybill::report
