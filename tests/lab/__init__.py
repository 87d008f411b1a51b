# SPDX-License-Identifier: BSD-3-Clause
"""A telephone network on one machine: namespaces, phones, and the relay."""
