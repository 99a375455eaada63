// A clock such as KVM shows its guests, for a guest of an emulator that shows none: /dev/ptp0. It runs with
// the processor's own and is ahead of that by a parameter that may be written at any time: at first by what
// makes it 2033.
#include <linux/module.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/timekeeping.h>

static long ahead_ns = 2000000000 * NSEC_PER_SEC;
module_param(ahead_ns, long, 0644);

static struct ptp_clock *registered;

static int gettime64(struct ptp_clock_info *info, struct timespec64 *time)
{
	*time = ns_to_timespec64(ktime_get_raw_ns() + READ_ONCE(ahead_ns));
	return 0;
}

static struct ptp_clock_info clock = {
	.owner = THIS_MODULE,
	.name = "steady clock",
	.gettime64 = gettime64,
};

static int __init begin(void)
{
	registered = ptp_clock_register(&clock, NULL);
	return PTR_ERR_OR_ZERO(registered);
}

static void __exit end(void)
{
	ptp_clock_unregister(registered);
}

module_init(begin);
module_exit(end);
MODULE_LICENSE("GPL");
